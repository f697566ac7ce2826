/** The OpenAPI 3.0 document of what is served, made from the declarations. */
import type { Answer, Form } from './field.ts'
import { problem, problemBody } from './problem.ts'
import {
  addressOf,
  METHODS,
  type Operation,
  type ResourceDeclaration,
  SUCCESS,
  type Unserved,
  type Verb,
  verbsOf,
} from './resource.ts'

type Json = Record<string, unknown>

const FORM_TYPE = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

const formSchema = (form: Form): Json => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(form).map(([name, { schema }]) => [name, schema])),
  ...requiredNames(form),
})

const requiredNames = (form: Form): Json => {
  const names = Object.entries(form)
    .filter(([, { needed }]) => needed)
    .map(([name]) => name)
  return names.length ? { required: names } : {}
}

const answerSchema = (answer: Answer): Json => ({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(answer).map(([name, { schema }]) => [
      name,
      name === 'links'
        ? { type: 'object', additionalProperties: { type: 'string', nullable: true } }
        : schema,
    ]),
  ),
})

const pageSchema = (key: string, schema: Json): Json => ({
  type: 'object',
  properties: {
    meta: {
      type: 'object',
      properties: {
        page: { type: 'integer' },
        page_size: { type: 'integer' },
        first_page_url: { type: 'string', format: 'uri' },
        previous_page_url: { type: 'string', format: 'uri', nullable: true },
        url: { type: 'string', format: 'uri' },
        next_page_url: { type: 'string', format: 'uri', nullable: true },
        key: { type: 'string' },
      },
    },
    [key]: { type: 'array', items: schema },
  },
})

const pathParameters = (address: string): Json[] =>
  [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))

const queryParameters = (form: Form): Json[] =>
  Object.entries(form).map(([name, { schema, needed }]) => ({ name, in: 'query', required: needed, schema }))

const PAGE_PARAMETERS: readonly Json[] = [
  { name: 'PageSize', in: 'query', schema: { type: 'integer', minimum: 1 } },
  { name: 'Page', in: 'query', schema: { type: 'integer', minimum: 0 } },
  { name: 'PageToken', in: 'query', schema: { type: 'string' } },
]

const refused = {
  description: 'Refused, in the shape every published client reads',
  content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/problem' } } },
}

const operationDocument = (it: ResourceDeclaration, verb: Verb, declared: Operation): Json => {
  const address = addressOf(it, verb)
  const form = declared.form ?? {}
  const isRead = METHODS[verb] === 'GET'
  const schema = { $ref: `#/components/schemas/${it.name}` }
  const status = declared.status ?? SUCCESS[verb]
  const answer = verb === 'list' ? pageSchema(it.key ?? 'items', schema) : schema
  return {
    operationId: `${verb}.${it.name}`,
    tags: [it.product],
    ...(declared.about ? { summary: declared.about } : {}),
    parameters: [
      ...pathParameters(address),
      ...(isRead ? queryParameters(form) : []),
      ...(verb === 'list' ? PAGE_PARAMETERS : []),
    ],
    ...(!isRead && Object.keys(form).length
      ? {
          requestBody: {
            content: { [declared.reads === 'json' ? JSON_TYPE : FORM_TYPE]: { schema: formSchema(form) } },
          },
        }
      : {}),
    ...((declared.openTo ?? it.openTo) === 'anyone' ? { security: [] } : {}),
    responses: {
      [status]:
        status === 204
          ? { description: 'Deleted' }
          : { description: 'Done', content: { [JSON_TYPE]: { schema: answer } } },
      default: refused,
    },
  }
}

const unservedDocument = (operation: string, { product, why }: Unserved): Json => ({
  operationId: operation,
  tags: [product],
  summary: `Not served: ${why}`,
  parameters: pathParameters(operation),
  responses: { 501: refused },
})

/** @param origin our public address */
export const openApi = (
  resources: readonly ResourceDeclaration[],
  unserved: readonly Unserved[],
  origin: string,
): Json => {
  const paths: Record<string, Json> = {}
  const at = (address: string): Json => {
    paths[address] ??= {}
    return paths[address]
  }
  for (const it of resources)
    for (const verb of verbsOf(it))
      at(addressOf(it, verb))[METHODS[verb].toLowerCase()] = operationDocument(
        it,
        verb,
        it.operations[verb] ?? {},
      )
  for (const it of unserved)
    for (const operation of it.operations) {
      const [method = 'GET', address = '/'] = operation.split(' ')
      at(address)[method.toLowerCase()] = unservedDocument(operation, it)
    }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Parley',
      version: '1',
      description:
        'A self-hosted contact-centre chat server whose addresses, parameters and answers are those that clients of Twilio Flex, Programmable Chat and TaskRouter expect. Independent of Twilio Inc.',
      license: { name: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    security: [{ basic: [] }],
    paths,
    components: {
      securitySchemes: {
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'Account SID and auth token, API key SID and secret, or `token` and an access token',
        },
      },
      schemas: {
        ...Object.fromEntries(resources.map((it) => [it.name, answerSchema(it.answer)])),
        problem: {
          type: 'object',
          properties: {
            code: { type: 'integer' },
            message: { type: 'string' },
            more_info: { type: 'string' },
            status: { type: 'integer' },
          },
          example: problemBody(problem('unauthenticated')),
        },
      },
    },
  }
}
