import { parentPort, workerData } from 'node:worker_threads';
import { HtdmlError } from '../errors.js';
import { type EstimateReportOptions, estimateReport } from '../estimation/estimate-report.js';
import type { DataLaw } from '../model/data-law.js';
import type { Model } from '../model/model.js';

/** What is computed, once. */
export interface EstimateTask {
  readonly model: Model;
  readonly data: DataLaw;
  readonly options: EstimateReportOptions;
}

/** The share that is done; at the end the report as JSON, or what was refused. */
export type EstimateMessage =
  | { readonly share: number }
  | { readonly json: string }
  | { readonly code: string; readonly message: string };

/** Computes a report in a thread of its own, so that the main one hears signals. */
const { model, data, options } = workerData as EstimateTask;
const send = (message: EstimateMessage) => parentPort?.postMessage(message);
try {
  const progress = (share: number) => send({ share });
  send({ json: JSON.stringify(estimateReport(model, data, { ...options, progress })) });
} catch (error) {
  if (!(error instanceof HtdmlError)) throw error;
  send({ code: error.code, message: error.message });
}
