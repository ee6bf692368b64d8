"""Drafts: written, asked about, approved or rejected, and sent."""
