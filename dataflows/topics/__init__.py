"""What a person does with topics: look at their messages, and move frames between topics and tapes. No flow."""
