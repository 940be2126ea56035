"""The rooms of the composition root: what main_v3.py puts together. Nobody else imports them."""
