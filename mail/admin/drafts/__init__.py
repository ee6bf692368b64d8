"""Console pages of drafts: what waits for a yes, what would go out, what became of it, and what people write."""

from mail.admin.drafts import answering, pages, records

__all__ = ["answering", "pages", "records"]
