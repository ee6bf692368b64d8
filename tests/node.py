"""What is said where there is no Node to run the TypeScript SDK with."""

MISSING = "There is no Node: install Node.js 18 or later with its npm."
