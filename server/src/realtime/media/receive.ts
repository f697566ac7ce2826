/**
 * An upload, from its first byte to where its bytes are kept: the body itself, or the first file of a form. It passes
 * through as it comes, is measured on its way, and leaves nothing where it fails.
 *
 * The request is never destroyed: whoever sends too much, or the wrong thing, is still to read our answer.
 */
import type { IncomingMessage } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { type Problem, problem } from '@parley/contract/problem.ts'
import type { Bytes } from './bytes.ts'
import { contentTypeFrom, filenameFrom, isAllowed } from './naming.ts'

/** What a form may have around its file, in bytes. */
const FORM_AROUND_MAX = 64 * 1024

/** What else a form may hold. */
const FORM_LIMITS = { files: 1, fields: 20, parts: 40, fieldNameSize: 256, fieldSize: 4096, headerPairs: 50 }

/** What has to arrive in each stretch of time that an upload may stall, in bytes: a trickle is no upload. */
const PROGRESS_BYTES = 4 * 1024

export interface Receiving {
  readonly bytes: Bytes
  /** In bytes. */
  readonly max: number
  /** `*`, `image/*` or `image/png`: of each list one must fit. */
  readonly types: readonly (readonly string[])[]
  /** In milliseconds. */
  readonly stallMs: number
}

export interface Received {
  readonly keptAs: string
  readonly size: number
  readonly contentType: string
  readonly filename: string | null
}

/**
 * @throws 413 for more than may be, 415 for what may not be, 408 for what stalls, 400 for what is empty, broken off or
 *   no form, each with nothing kept
 */
export const receive = async (request: IncomingMessage, receiving: Receiving): Promise<Received> => {
  const said = request.headers['content-type']
  const isForm = /^multipart\/form-data\b/i.test(said ?? '')
  const most = receiving.max + (isForm ? FORM_AROUND_MAX : 0)
  if (Number(request.headers['content-length']) > most) throw tooLarge(receiving.max)
  const body = new Meter(most, receiving.max)
  const stopWatching = feed(request, body, receiving.stallMs)
  try {
    return isForm
      ? await receiveForm(body, request.headers as BusboyHeaders, receiving)
      : await keep(body, contentTypeFrom(said), null, receiving)
  } finally {
    stopWatching()
  }
}

const tooLarge = (max: number): Problem => problem('body_too_large', { max })
const brokenOff = (): Problem => problem('malformed_request', { reason: 'it did not arrive whole' })

/** Counts what passes through. Not as `size`: the library for buckets would take that for how much there is to come. */
class Meter extends Transform {
  passed = 0
  readonly #most: number
  readonly #named: number

  /** @param named the limit that a refusal names */
  constructor(most: number, named = most) {
    super()
    this.#most = most
    this.#named = named
    // Whoever reads from it is told as well; this alone keeps a refusal that comes before from ending the process.
    this.on('error', () => {})
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (fault?: Error, chunk?: Buffer) => void): void {
    this.passed += chunk.length
    if (this.passed > this.#most) done(tooLarge(this.#named))
    else done(undefined, chunk)
  }
}

/** Pours the request into the meter, and sees to it that it ends one way or the other. */
const feed = (request: IncomingMessage, into: Meter, stallMs: number): (() => void) => {
  const breakOff = (): void => void into.destroy(brokenOff())
  let before = 0
  const watch = setInterval(() => {
    // Where it is we who do not read on, nothing can come.
    if (into.passed - before < PROGRESS_BYTES && !into.writableNeedDrain)
      into.destroy(problem('upload_stalled', { seconds: Math.ceil(stallMs / 1000) }))
    before = into.passed
  }, stallMs)
  request.once('error', breakOff).once('aborted', breakOff)
  if (request.destroyed) breakOff()
  else request.pipe(into)
  return () => {
    clearInterval(watch)
    request.unpipe(into)
    request.off('aborted', breakOff)
    // What still comes is not read; its fault is nobody's any more.
    request.on('error', () => {})
    request.resume()
  }
}

const keep = async (
  body: Readable,
  contentType: string,
  filename: string | null,
  { bytes, max, types }: Receiving,
): Promise<Received> => {
  const refusing = types.find((it) => !isAllowed(contentType, it))
  if (refusing) {
    body.destroy()
    throw problem('unsupported_media_type', { type: contentType, expected: refusing.join(', ') })
  }
  const file = new Meter(max)
  // Not a pipeline: it would destroy what it reads from, and with it the form around a file.
  body.once('error', (fault) => file.destroy(fault))
  body.once('close', () => body.readableEnded || file.destroy(brokenOff()))
  body.pipe(file)
  const keptAs = await bytes.put(file)
  if (file.passed > 0) return { keptAs, size: file.passed, contentType, filename }
  await bytes.remove(keptAs)
  throw problem('malformed_request', { reason: 'it is empty' })
}

const receiveForm = async (body: Meter, headers: BusboyHeaders, receiving: Receiving): Promise<Received> => {
  let kept: Promise<Received> | undefined
  let open: Readable | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const form = formReader(headers)
      const fail = (fault: unknown): void => {
        body.unpipe(form)
        reject(fault instanceof Error && fault.name === 'Problem' ? fault : brokenOff())
        form.destroy()
        // The form would leave its file waiting for ever.
        open?.destroy()
      }
      form.on('file', (_name, file, filename, _encoding, type) => {
        open = file
        kept = keep(file, contentTypeFrom(type), filenameFrom(filename), receiving)
        kept.catch(fail)
      })
      form.once('finish', resolve).once('error', fail)
      body.once('error', fail)
      body.pipe(form)
    })
    if (!kept) throw problem('malformed_request', { reason: 'its form has no file' })
    return await kept
  } catch (fault) {
    // The file may have been whole before what came after it was not.
    const whole = await kept?.catch(() => undefined)
    if (whole) await receiving.bytes.remove(whole.keptAs)
    throw fault
  }
}

const formReader = (headers: BusboyHeaders) => {
  try {
    return new Busboy({ headers, limits: FORM_LIMITS })
  } catch (fault) {
    throw problem('malformed_request', { reason: (fault as Error).message })
  }
}
