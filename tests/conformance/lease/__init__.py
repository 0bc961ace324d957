"""What every store of leases must do."""
