/** A judgment as one row of an export, with all that makes it useful without the store. */
import type { Judgment } from '../../records.ts'
import type { StoredImage } from '../store/known-rows.ts'
import type { Provenance } from './provenance.ts'

export interface OutwardRow {
  /** Its rater is a pseudonym, unless names were asked for. */
  readonly judgment: Judgment
  readonly prompt: string
  /** Of the images, in their order. */
  readonly sha256: readonly string[]
  /** What raters agreed to when it was made. */
  readonly consent: string
  readonly licence: string
  /** Of Attune. */
  readonly version: string
}

export function outwardRow(
  judgment: Judgment,
  imageOf: (id: string) => StoredImage,
  { version, licence, outward, consentAt }: Provenance,
): OutwardRow {
  const records = judgment.images.map((id) => imageOf(id).record)
  return {
    judgment: outward(judgment),
    prompt: records[0].text,
    sha256: records.map(({ sha256 }) => sha256),
    consent: consentAt(judgment.at),
    licence,
    version,
  }
}
