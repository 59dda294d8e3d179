import { Composition, registerRoot } from "remotion";
import { TrainingLoss } from "./TrainingLoss";
import { TransformerArchitecture } from "./TransformerArchitecture";

const SIZE = { fps: 30, width: 1920, height: 1080 };

registerRoot(() => (
  <>
    <Composition
      id="TransformerArchitecture"
      component={TransformerArchitecture}
      durationInFrames={300}
      {...SIZE}
    />
    <Composition id="TrainingLoss" component={TrainingLoss} durationInFrames={360} {...SIZE} />
  </>
));
