/**
 * A request in its slot: six words, then path, query and header fields in UTF-8, then its body. What does not fit lies in pages that are the
 * slot's as long as the request is (page-arena.ts): the body alone, or the texts and after them the body. Main lends the pages and takes them
 * back, the slot's owner reads.
 *
 * All words but `INTEREST` and `READ` are main's, written before the slot is published and read by its owner after the claim.
 */

/** Number of the method; OTHER_METHOD: its name and a space precede the path. */
export const METHOD_WORD = 0;
export const PATH_BYTES_WORD = 1;
export const QUERY_BYTES_WORD = 2;
export const FLAGS_WORD = 3;
/** The first page; of meaning with IN_PAGES or BODY_IN_PAGES. */
export const PAGE_WORD = 4;
/** Of the header fields: name, value, name, value, …; 0 where there are none that the handler reads. */
export const FIELDS_BYTES_WORD = 5;
export const HEAD_BYTES = 24;

/** The worker is to send the times of this request with its answer. */
export const MEASURED = 1;
/** It has a body: its length stands in BODY_WORD. */
export const HAS_BODY = 2;
export const BODY_IN_PAGES = 4;
/** The texts are in the pages, before the body. */
export const IN_PAGES = 8;
/** The fields are all lines of the header, and after them the client's address, not those that the handler has named. */
export const ALL_FIELDS = 16;
/** The body comes as a stream: its number stands in UPLOAD_WORD. */
export const STREAMED = 32;

/**
 * Words that few requests need stand at the slot's end, so that the first cache line holds the head and a short path. `GONE`, `INTEREST` and
 * `READ` hold the generation of the slot that they are meant for: none of them needs to be cleared, what was written for another request says
 * nothing. A length and a number have words of their own: who reads a withdrawn slot may find words of two requests, but no length that is none.
 *
 * | word       | written by                                             | read by                     | if the writer dies there |
 * |------------|--------------------------------------------------------|-----------------------------|--------------------------|
 * | `BODY`, `UPLOAD` | main: before the slot is published                     | owner                       | (main: the process ends) |
 * | `GONE`     | main: nobody waits for the answer; then it looks at `INTEREST` | owner               | (main: the process ends) |
 * | `INTEREST` | owner: its handler looks at the signal; then it looks at `GONE`; never back to an earlier generation | main | a message to nobody |
 * | `READ`     | owner: after its last look at the pages                | main, when pages are scarce | main takes them back with the slot |
 *
 * `GONE` and `INTEREST`: each side writes its own and then reads the other's, so that one of them sees the other, whatever the order.
 */
export const BODY_WORD = 0;
export const GONE_WORD = 1;
export const INTEREST_WORD = 2;
export const READ_WORD = 3;
export const UPLOAD_WORD = 4;
export const TAIL_BYTES = 20;

/** No adapter lets a line feed into a field's value (RFC 9110 §5.5), so it can stand between them. */
export const SEPARATOR = "\n";
