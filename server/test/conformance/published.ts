/**
 * Twilio's published OpenAPI files as a judge: which operations there are, and whether an answer is as they say, in
 * status, keys, types and formats. The files come with the npm package `@twilio-alpha/mcp`.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

const PRODUCTS = ['flex_v1', 'chat_v2', 'taskrouter_v1', 'studio_v2'] as const

type Json = Record<string, unknown>

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Json }>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Json>> }
}

export interface PublishedOperation {
  readonly product: string
  /** `GET /v2/Services/{Sid}` */
  readonly name: string
  readonly method: string
  readonly path: RegExp
  /** What is wrong with an answer; nothing where it is as published. */
  readonly faults: (status: number, body: unknown) => string[]
}

const folder = join(
  dirname(createRequire(import.meta.url).resolve('@twilio-alpha/mcp/package.json')),
  'twilio-oai/spec/json',
)

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

const operationsOf = (product: (typeof PRODUCTS)[number]): PublishedOperation[] => {
  const { paths, components } = JSON.parse(
    readFileSync(join(folder, `twilio_${product}.json`), 'utf8'),
  ) as Document
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema({ $id: 'components', ...(closed({ components }) as Json) })
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, { responses }]) => {
        const name = `${method.toUpperCase()} ${path}`
        const byStatus = new Map(
          Object.entries(responses).map(([status, it]) => [
            Number(status),
            validator(ajv, schemaOf(it as Json)),
          ]),
        )
        return {
          product,
          name,
          method: method.toUpperCase(),
          path: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
          faults: (status: number, body: unknown) => faultsOf(byStatus, status, body),
        }
      }),
  )
}

const schemaOf = (response: Json): Json | undefined =>
  (response.content as Record<string, { schema?: Json }> | undefined)?.['application/json']?.schema

/** Every key that is published must be there, and no other: a typo in a key is two faults. */
const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const it = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)])) as Json
  if (it.format === 'uri-map')
    return { type: 'object', additionalProperties: { type: 'string', format: 'uri', nullable: true } }
  // Where the files say only an enumeration, null is what an absent value is.
  if (it.nullable === true && it.type === undefined) delete it.nullable
  if (typeof it.properties === 'object' && it.type === 'object') {
    it.required = Object.keys(it.properties as Json)
    it.additionalProperties = false
  }
  return it
}

const validator = (ajv: Ajv, schema: Json | undefined): ValidateFunction | undefined =>
  schema &&
  ajv.compile(
    JSON.parse(
      JSON.stringify(closed(schema)).replaceAll('"#/components/', '"components#/components/'),
    ) as Json,
  )

const faultsOf = (
  byStatus: ReadonlyMap<number, ValidateFunction | undefined>,
  status: number,
  body: unknown,
): string[] => {
  if (!byStatus.has(status))
    return [`status ${status} is not published (${[...byStatus.keys()].join(', ')} are)`]
  const validate = byStatus.get(status)
  if (!validate || validate(body)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath || 'the answer'} ${message} ${JSON.stringify(params)}`.trim(),
  )
}

export const published: readonly PublishedOperation[] = PRODUCTS.flatMap(operationsOf)

/** The operation a request was, a path without holes before one with. */
export const operationOf = (method: string, path: string): PublishedOperation | undefined =>
  published
    .filter((it) => it.method === method && it.path.test(path))
    .sort((a, b) => holes(a) - holes(b))
    .at(0)

const holes = ({ name }: PublishedOperation): number => name.split('{').length
