"""What every engine behind the storage port must do."""
