"""What assembly does over memory links on the virtual clock."""
