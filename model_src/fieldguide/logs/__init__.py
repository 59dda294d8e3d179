"""Logs of trainings, in every form that is known."""
