"""What a notebook needs to teach: lessons with claims, exercises, explorers; nothing else in adkit imports it."""
