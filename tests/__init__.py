"""Tests of perpscout, with the fakes and builders they share."""
