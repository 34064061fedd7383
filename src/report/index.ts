export {
  type FrontierArm,
  type FrontierPoint,
  frontierFigure,
  type PathFigure,
  pathFigure,
  type SpectrumGroup,
  type SpectrumPanel,
  spectrumFigure,
  type TrainingPoint,
  type TrainingSeries,
  trainingFigure,
} from './figures.js';
export {
  type Block,
  type FigureBlock,
  type ParagraphBlock,
  type Report,
  renderReport,
  type Section,
  type TableBlock,
} from './report.js';
