"""What the tests are made of: clock, servers, browser, guard. Fixtures over these are in tests/conftest.py."""
