/** The types that twilio-chat 6.0.0 publishes, by which the story asks every SDK. */
import type { RestPaginator } from 'twilio-chat'

export type {
  Channel,
  Client,
  Media,
  Member,
  Message,
  User,
} from 'twilio-chat'

export type Paginator<T> = Pick<RestPaginator<T>, 'items' | 'hasNextPage' | 'hasPrevPage'> & {
  nextPage(): Promise<Paginator<T>>
  prevPage(): Promise<Paginator<T>>
}
