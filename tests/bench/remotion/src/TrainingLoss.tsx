import React from "react";
import {
  AbsoluteFill,
  interpolate,
  useCurrentFrame,
  useVideoConfig,
  Easing,
} from "remotion";

const lossData = [
  { step: 0, loss: 10.5 },
  { step: 1000, loss: 4.2 },
  { step: 2000, loss: 3.5 },
  { step: 5000, loss: 3.1 },
  { step: 10000, loss: 2.9 },
  { step: 20000, loss: 2.7 },
  { step: 30000, loss: 2.65 },
];

export const TrainingLoss: React.FC = () => {
  const frame = useCurrentFrame();
  const { fps, width, height } = useVideoConfig();

  const progress = interpolate(frame, [30, 300], [0, 1], {
    extrapolateLeft: "clamp",
    extrapolateRight: "clamp",
    easing: Easing.out(Easing.cubic),
  });

  const chartWidth = 1400;
  const chartHeight = 600;
  const chartLeft = (width - chartWidth) / 2;
  const chartTop = 200;

  // Scale functions
  const xScale = (step: number) => (step / 30000) * chartWidth + chartLeft;
  const yScale = (loss: number) => chartTop + chartHeight - ((loss - 2) / 9) * chartHeight;

  // Generate path
  const visiblePoints = lossData.filter((_, i) => i / lossData.length <= progress);
  const pathD = visiblePoints
    .map((p, i) => `${i === 0 ? "M" : "L"} ${xScale(p.step)} ${yScale(p.loss)}`)
    .join(" ");

  return (
    <AbsoluteFill style={{
      background: "#0f0f23",
      fontFamily: "system-ui, sans-serif",
    }}>
      {/* Title */}
      <div style={{
        position: "absolute",
        top: 50,
        left: chartLeft,
        fontSize: 42,
        fontWeight: "bold",
        color: "#fff",
      }}>
        Training Loss Curve
      </div>
      <div style={{
        position: "absolute",
        top: 100,
        left: chartLeft,
        fontSize: 20,
        color: "#888",
      }}>
        nanochat depth=24 on FineWeb-Edu
      </div>

      {/* Y-axis */}
      <div style={{
        position: "absolute",
        left: chartLeft - 60,
        top: chartTop,
        height: chartHeight,
        display: "flex",
        flexDirection: "column",
        justifyContent: "space-between",
      }}>
        {[10, 8, 6, 4, 2].map((v) => (
          <div key={v} style={{ color: "#666", fontSize: 14 }}>{v}</div>
        ))}
      </div>

      {/* X-axis */}
      <div style={{
        position: "absolute",
        left: chartLeft,
        top: chartTop + chartHeight + 20,
        width: chartWidth,
        display: "flex",
        justifyContent: "space-between",
      }}>
        {[0, 10, 20, 30].map((v) => (
          <div key={v} style={{ color: "#666", fontSize: 14 }}>{v}K</div>
        ))}
      </div>

      {/* Chart area */}
      <svg
        width={width}
        height={height}
        style={{ position: "absolute", top: 0, left: 0 }}
      >
        {/* Grid lines */}
        {[2, 4, 6, 8, 10].map((loss) => (
          <line
            key={loss}
            x1={chartLeft}
            x2={chartLeft + chartWidth}
            y1={yScale(loss)}
            y2={yScale(loss)}
            stroke="#333"
            strokeWidth={1}
          />
        ))}

        {/* Loss curve */}
        <path
          d={pathD}
          fill="none"
          stroke="#da7756"
          strokeWidth={4}
          strokeLinecap="round"
          strokeLinejoin="round"
        />

        {/* Current point */}
        {visiblePoints.length > 0 && (
          <circle
            cx={xScale(visiblePoints[visiblePoints.length - 1].step)}
            cy={yScale(visiblePoints[visiblePoints.length - 1].loss)}
            r={8}
            fill="#da7756"
          />
        )}
      </svg>

      {/* Current loss display */}
      <div style={{
        position: "absolute",
        top: chartTop + 20,
        right: chartLeft,
        background: "#2a2a4a",
        padding: "15px 25px",
        borderRadius: 10,
      }}>
        <div style={{ color: "#888", fontSize: 14 }}>Current Loss</div>
        <div style={{ color: "#da7756", fontSize: 36, fontWeight: "bold" }}>
          {(interpolate(progress, [0, 1], [10.5, 2.65])).toFixed(2)}
        </div>
      </div>

      {/* Labels */}
      <div style={{
        position: "absolute",
        bottom: 80,
        left: chartLeft,
        width: chartWidth,
        textAlign: "center",
        color: "#666",
        fontSize: 16,
      }}>
        Training Steps
      </div>
    </AbsoluteFill>
  );
};
