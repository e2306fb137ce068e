"""Which check of its contract each wrong thing fails, and with which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nlptasks.plugin.spec import Kind

Case = tuple[str, str, str]
"""A class, a check of its contract, and words of what that says."""

TASKS = [
    ("Renamed", "test_it_declares_itself", "Renamed.name is 'another': it is registered as 'renamed'"),
    ("NumberedVersion", "test_it_declares_itself", "version is 2: make it a text"),
    ("PlainInput", "test_it_declares_itself", "has <class 'dict'> as its Input: make it a pydantic model"),
    ("NoOutputField", "test_it_declares_itself", "Output has no field"),
    ("NotATask", "test_it_declares_itself", "which is no Task"),
    ("Undescribed", "test_its_fields_are_described", "Input does not describe text: Field(description='...')"),
    ("NoFlag", "test_it_is_a_command", "`nlptasks run no-flag --help` fails"),
    ("Uneven", "test_its_models_pass_through_json", "Input changes on its way through JSON"),
    ("NoSchema", "test_its_models_pass_through_json", "Options has no JSON schema"),
    ("Counting", "test_asking_is_pure", "prompt gives another request the second time"),
    ("Changing", "test_asking_is_pure", "prompt changes the sample or the options"),
    ("NamelessRequest", "test_a_request_is_plain", "a Request has task='': pass task=self.name"),
    ("NoMessage", "test_a_request_is_plain", "a Request has no messages"),
    ("NumberField", "test_a_request_is_plain", "the fields length of a Request are no texts"),
    ("Silent", "test_a_request_is_plain", "it asks the backend nothing"),
    ("DeafToOptions", "test_generation_options_reach_the_request", "pass config=options.generation()"),
    ("MadeUpTarget", "test_a_reference_is_training_text", "raise ValueError"),
    ("ListedTarget", "test_a_reference_is_training_text", "target gives a list: return a str"),
    ("TextOutput", "test_an_answer_becomes_a_prediction", "gave a str as its prediction, not its Shout"),
    ("Trusting", "test_any_answer_is_an_output_or_a_valueerror", "raise ValueError"),
    ("Resentful", "test_a_failed_request_fails_its_sample_alone", "a failed request takes other samples with it"),
    ("Remembering", "test_predictions_keep_the_samples_order", "keep no state in the task"),
    ("OtherwiseStreamed", "test_a_stream_gives_the_same", "streamed is 'An answer.', printed 'AN ANSWER.'"),
    ("UnknownMetric", "test_its_metrics_and_benchmarks_exist", "Did you mean 'rouge'?"),
    ("OneMetric", "test_its_metrics_and_benchmarks_exist", "make it a tuple, ('rouge',)"),
]
BACKENDS = [
    ("NoBatch", "test_it_declares_itself", "batch_size is 0: make it 1 or more"),
    ("ListedCapabilities", "test_it_declares_itself", "make it a frozenset of nlptasks.Capability"),
    ("NotABackend", "test_it_declares_itself", "gave NotABackend, which is no Backend"),
    ("PickyUnsaid", "test_it_refuses_in_a_line", "mend refusal"),
    ("Verbose", "test_it_refuses_in_a_line", "make it one line, or None"),
    ("Reversing", "test_it_answers_all_in_order", "when asked alone"),
    ("Dropping", "test_it_answers_all_in_order", "complete gives 3 answers to 6 requests"),
    ("NeighbourReading", "test_it_answers_all_in_order", "among others"),
    ("Textual", "test_it_answers_all_in_order", "complete gives a str: return a Completion or a Failure"),
    ("NoText", "test_it_answers_all_in_order", "a Completion's text is None"),
    ("Refusing", "test_it_answers_all_in_order", "say in one line what went wrong"),
    ("Moody", "test_it_repeats_itself", "it says 'Who wrote the letter?!', then 'Who wrote the letter?"),
    ("Stuttering", "test_a_stream_gives_the_same", "the deltas make 'WHOWROTETHELETTER?'"),
    ("Endless", "test_a_stream_gives_the_same", "a stream ends with Delta("),
    ("TalkingOn", "test_a_stream_gives_the_same", "a stream goes on after its Completion"),
    ("Roomless", "test_a_session_answers_each_key_once", "its room must be at least 1 then"),
    ("Keyless", "test_a_session_answers_each_key_once", "get returns the key None"),
    ("Swapping", "test_a_session_answers_each_key_once", "a session says"),
    (
        "Raising",
        "test_a_bad_request_fails_alone",
        "it raises IndexError: tuple index out of range; return a Failure",
    ),
    ("Boasting", "test_it_has_what_it_claims", "data['loglikelihood'] is None"),
    ("Holding", "test_its_answers_are_plain", "object has no form in JSON; put plain values into data"),
    ("Unsorted", "test_its_answers_are_plain", "sort the names of the options"),
    ("Unique", "test_its_identity_is_stable", "identity changes in instance"),
    ("CountingIdentity", "test_its_identity_is_stable", "identity changes in answered"),
    ("NumericIdentity", "test_its_identity_is_stable", "as texts"),
    ("Guessing", "test_its_limits_can_be_counted", "count gives 1 tokens, and 1 for five times the text"),
    ("NoContext", "test_its_limits_can_be_counted", "or None without a limit"),
    ("Printing", "test_it_prints_nothing", "answering prints 'thinking ..."),
    ("ClosedForGood", "test_it_can_be_closed_twice", "closing it again raises RuntimeError: closed already"),
]
METRICS = [
    ("RenamedMetric", "test_it_declares_itself", "its name is 'another': it is registered as 'renamed-metric'"),
    ("NotAMetric", "test_it_declares_itself", "NotAMetric is no Metric: derive it from nlptasks.Metric"),
    ("Unsigned", "test_it_declares_itself", "its signature 'overlap' does not begin with 'unsigned|v:1'"),
    ("Flat", "test_it_has_a_row_of_numbers_for_each_sample", "return an array of (samples, statistics)"),
    ("Whole", "test_it_has_a_row_of_numbers_for_each_sample", "statistics are of type int64: make them float64"),
    ("Undefined", "test_it_has_a_row_of_numbers_for_each_sample", "statistics hold NaN or infinity"),
    ("Computing", "test_its_statistics_make_the_corpus_value", "leave compute as it is"),
    ("Single", "test_its_statistics_make_the_corpus_value", "return a dict of floats by the name of the part"),
    ("Relative", "test_a_sample_has_the_same_statistics_in_any_company", "count by sample, and combine in aggregate"),
    ("LastCounts", "test_a_sample_has_the_same_statistics_in_any_company", "for the same rows in another order"),
    ("Fraction", "test_equal_texts_reach_its_best[en]", "score right-metric = 1.0, not 100.0"),
    ("Latin", "test_equal_texts_reach_its_best[zh]", "equal texts (zh) score right-metric = 0.0, not 100.0"),
    ("Told", "test_equal_texts_reach_its_best[zh]", "equal texts (zh, to be detected) score told = 0.0, not 100.0"),
    ("Generous", "test_other_texts_score_worse", "as good as the best"),
    ("Dividing", "test_an_empty_prediction_is_scored", "with an empty prediction right-metric is no number"),
    ("DroppingMetric", "test_it_takes_lists_of_one_length_only", "it scores 3 predictions with 1 reference"),
    ("Unpicklable", "test_it_can_be_sent_to_another_process", "it cannot be pickled"),
    ("Forgetful", "test_it_can_be_sent_to_another_process", "its copy"),
    ("PrintingMetric", "test_it_prints_nothing", "scoring prints 'scoring ..."),
]
BENCHMARKS = [
    ("RenamedBenchmark", "test_it_declares_itself", "its name is 'another'"),
    ("Unlicensed", "test_it_declares_itself", "it has no licence"),
    ("NotABenchmark", "test_it_declares_itself", "is a dict: make it a Benchmark"),
    ("Unmapped", "test_its_columns_are_its_tasks", "no column of summarization is mapped: columns = {'document': ...}"),
    ("WrongLanguage", "test_its_languages_are_codes", "lang is 'english': write 'en'"),
    ("NoMetric", "test_its_metrics_exist", "neither it nor its task text-generation names a metric"),
    ("UnknownBenchmarkMetric", "test_its_metrics_exist", "Did you mean 'rouge'?"),
    ("TextMetric", "test_its_metrics_exist", "metrics is a text: make it a tuple, ('rouge',)"),
    ("NoTask", "test_published_rows_become_samples", "its task: Unknown task 'summarisation'"),
    ("WrongColumn", "test_published_rows_become_samples", "no column 'body'; there are: article, highlights"),
    ("NoReference", "test_published_rows_become_samples", "map 'summary' to the column that holds them"),
    ("NoRow", "test_published_rows_become_samples", "no published row is left: mend expand"),
    ("Blank", "test_published_rows_become_samples", "summarization refuses a row"),
    ("Random", "test_rows_are_the_same_twice", "expand gives other rows the second time"),
    ("Mutating", "test_rows_are_the_same_twice", "expand changes the row it is given"),
]
METRIC_HOOKS = [
    ("reading", "test_register_hooks_do_no_io", "in register_metrics, it reads "),
    ("writing", "test_register_hooks_do_no_io", "in register_metrics, it writes "),
    ("removing", "test_register_hooks_do_no_io", "in register_metrics, it changes "),
    ("asking", "test_register_hooks_do_no_io", "in register_metrics, it uses the network"),
    ("starting", "test_register_hooks_do_no_io", "in register_metrics, it starts a process"),
    ("importing", "test_loading_imports_no_other_package", "loading the plugin imports numpy: keep hooks and Specs"),
    ("eager", "test_loading_does_nothing", "when the plugin is imported, it uses the network"),
    ("changing", "test_register_hooks_say_the_same_twice", "register_metrics gave other Specs the second time"),
    ("talking", "test_loading_prints_nothing", "loading the plugin prints 'hello"),
    ("silent", "test_it_is_registered", "give the Spec of 'silent' a summary"),
    ("missing", "test_it_is_registered", "cannot be used: ModuleNotFoundError: No module named 'nowhere'"),
    ("broken", "test_it_is_registered", "these plugins do not load: 'broken' (strangers 1.0): ValueError: not today"),
    ("misnamed", "test_it_is_registered", "Unknown metric 'misnamed'."),
]
"""Plugins of one metric, whose loading or hooks are wrong."""

CASES: Mapping[Kind, Sequence[Case]] = {
    "task": TASKS,
    "backend": BACKENDS,
    "metric": [*METRICS, *METRIC_HOOKS],
    "benchmark": BENCHMARKS,
}
