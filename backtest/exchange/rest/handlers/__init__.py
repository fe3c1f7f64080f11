"""What each route does: plain functions from a judged call to an answer's body, by subject."""
