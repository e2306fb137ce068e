"""What the documentation promises of each kind of plugin, as pytest classes: one file per kind."""
