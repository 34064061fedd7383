export { type FrontierArm, type FrontierPoint, frontierFigure } from './frontier-figure.js';
export { type PathFigure, pathFigure } from './path-figure.js';
export { type SpectrumGroup, type SpectrumPanel, spectrumFigure } from './spectrum-figure.js';
export { type TrainingPoint, type TrainingSeries, trainingFigure } from './training-figure.js';
