"""Door 2: everything the bot asks of GitHub or changes there."""
