"""The Interaction Server's store on real databases."""
