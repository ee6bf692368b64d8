/** One page of a list; it iterates over its own items and over all that follow. */
export class Page<T> implements AsyncIterable<T> {
  readonly data: T[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;

  constructor(
    answer: { data: T[]; has_more: boolean; next_cursor: string | null },
    private readonly fetchPage: (cursor: string) => Promise<Page<T>>,
  ) {
    this.data = answer.data;
    this.has_more = answer.has_more;
    this.next_cursor = answer.next_cursor;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (let page: Page<T> | null = this; page; page = await page.nextPage()) yield* page.data;
  }

  /** Return the page after this one; null after the last. */
  async nextPage(): Promise<Page<T> | null> {
    return this.has_more && this.next_cursor ? this.fetchPage(this.next_cursor) : null;
  }
}

/** A list that is yet to be fetched: `await` gives its first page, `for await` each of its items, page by page. */
export class List<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  private first?: Promise<Page<T>>;

  constructor(private readonly fetchPage: (cursor?: string) => Promise<Page<T>>) {}

  then<A = Page<T>, B = never>(
    fulfilled?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.page().then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Page<T> | B> {
    return this.page().catch(rejected);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    yield* await this.page();
  }

  private page(): Promise<Page<T>> {
    return (this.first ??= this.fetchPage());
  }
}
