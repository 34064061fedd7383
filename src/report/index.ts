export {
  type FrontierArm,
  frontierFigure,
  type PathFigure,
  pathFigure,
  type SpectrumPanel,
  spectrumFigure,
  type TrainingSeries,
  trainingFigure,
} from './figures.js';
export { type Block, type Report, renderReport, type Section } from './report.js';
