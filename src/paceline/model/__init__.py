"""The words of the field as frozen values, and the pure rules that several servers must share."""
