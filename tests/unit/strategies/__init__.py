"""Tests of the bar kernel and the strategies that read it."""
