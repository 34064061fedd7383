import { parentPort, workerData } from 'node:worker_threads';
import { HtdmlError } from '../errors.js';
import { type EstimateReportOptions, estimateReport } from '../estimation/estimate-report.js';
import { sampleTempered } from '../estimation/tempering/sample-tempered.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';

/** What is computed, once. */
export interface EstimateTask {
  readonly model: Model;
  readonly data: DataLaw;
  readonly options: EstimateReportOptions;
  /** Whether samples are tempered here, and the share of the work that this is. */
  readonly tempering: { readonly share: number } | null;
}

/** The share that is done; at the end the report as JSON, or what was refused. */
export type EstimateMessage =
  | { readonly share: number; readonly detail: string }
  | { readonly json: string }
  | { readonly code: string; readonly message: string };

/** Computes a report in a thread of its own, so that the main one hears signals. */
const { model, data, options, tempering } = workerData as EstimateTask;
const send = (message: EstimateMessage) => parentPort?.postMessage(message);
try {
  const before = tempering?.share ?? 0;
  const sampled =
    tempering && sampleTempered(model, data, options, (share, detail) => send({ share: before * share, detail }));
  const progress = (share: number) => send({ share: before + (1 - before) * share, detail: 'fitting the bound' });
  send({ json: JSON.stringify(estimateReport(model, data, { ...options, ...sampled, progress })) });
} catch (error) {
  if (!(error instanceof HtdmlError)) throw error;
  send({ code: error.code, message: error.message });
}
