/** Forms are filled in by whoever reaches the studio: what names a file of its machine has no field. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FormStage } from '../../stages.ts'
import { hiddenFields, ownFields, runFields } from './stage-plans.ts'
import { stageSchemas } from './stage-schemas.ts'

/**
 * A size, layers by name, and a device that the machine has: each is checked by more than being a text. A negative prompt is
 * read by the text encoder alone, as prompts are.
 */
const harmless = ['resolution', 'loraLayers', 'device', 'negativePrompt']

test('no form has a field for free text, which could be a path', async () => {
  const printed = await stageSchemas()
  assert.ok(Object.keys(printed).length > 4)
  for (const [stage, { flags, schema }] of Object.entries(printed)) {
    const own = ownFields(stage as FormStage)
    const texts = flags
      .map(({ field }) => field)
      .filter((field) => !hiddenFields.has(field) && !Object.hasOwn(runFields, field) && !Object.hasOwn(own, field))
      .filter((field) => {
        const { type } = schema.properties[field] as { type?: string | string[] }
        const { enum: choices, anyOf = [] } = schema.properties[field] as {
          enum?: unknown
          anyOf?: { type?: string; enum?: unknown }[]
        }
        const variants = [{ type, enum: choices }, ...anyOf]
        return variants.some(
          (one) => ['string', 'array'].some((kind) => [one.type].flat().includes(kind)) && one.enum === undefined,
        )
      })
    assert.deepEqual(
      texts.filter((field) => !harmless.includes(field)),
      [],
      stage,
    )
  }
})
