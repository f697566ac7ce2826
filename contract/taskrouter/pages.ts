/** How every list of TaskRouter is paged. `Page` alone means nothing: since 2021 a page is named by its token. */
export const PAGES = { default: 50, max: 1000, byToken: true } as const
