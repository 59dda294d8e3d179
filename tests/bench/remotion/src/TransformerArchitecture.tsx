import React from "react";
import {
  AbsoluteFill,
  interpolate,
  spring,
  useCurrentFrame,
  useVideoConfig,
  Sequence,
} from "remotion";

export const TransformerArchitecture: React.FC = () => {
  const frame = useCurrentFrame();
  const { fps } = useVideoConfig();

  // Animation phases
  const inputPhase = interpolate(frame, [0, 30], [0, 1], { extrapolateRight: "clamp" });
  const embeddingPhase = interpolate(frame, [30, 60], [0, 1], { extrapolateRight: "clamp" });
  const attentionPhase = interpolate(frame, [60, 120], [0, 1], { extrapolateRight: "clamp" });
  const mlpPhase = interpolate(frame, [120, 180], [0, 1], { extrapolateRight: "clamp" });
  const outputPhase = interpolate(frame, [180, 210], [0, 1], { extrapolateRight: "clamp" });

  return (
    <AbsoluteFill style={{
      background: "linear-gradient(180deg, #0f0f23 0%, #1a1a2e 100%)",
      fontFamily: "system-ui, sans-serif",
    }}>
      {/* Title */}
      <div style={{
        position: "absolute",
        top: 40,
        left: 60,
        fontSize: 48,
        fontWeight: "bold",
        color: "#ffffff",
        opacity: inputPhase,
      }}>
        GPT Transformer Architecture
      </div>

      {/* Input tokens */}
      <Sequence from={0} durationInFrames={240}>
        <div style={{
          position: "absolute",
          left: 200,
          top: 200,
          opacity: inputPhase,
          transform: `translateY(${(1 - inputPhase) * 50}px)`,
        }}>
          <div style={{ color: "#da7756", fontSize: 24, marginBottom: 10 }}>
            Input Tokens
          </div>
          <div style={{
            display: "flex",
            gap: 10,
          }}>
            {["Why", "is", "the", "sky", "blue", "?"].map((token, i) => (
              <div key={i} style={{
                background: "#2a2a4a",
                padding: "10px 15px",
                borderRadius: 8,
                color: "#fff",
                fontSize: 18,
                opacity: interpolate(frame - i * 3, [0, 15], [0, 1], {
                  extrapolateLeft: "clamp",
                  extrapolateRight: "clamp",
                }),
              }}>
                {token}
              </div>
            ))}
          </div>
        </div>
      </Sequence>

      {/* Embedding layer */}
      <Sequence from={30} durationInFrames={210}>
        <div style={{
          position: "absolute",
          left: 200,
          top: 350,
          opacity: embeddingPhase,
        }}>
          <div style={{
            background: "#3a3a6a",
            padding: 20,
            borderRadius: 12,
            width: 600,
            textAlign: "center",
          }}>
            <div style={{ color: "#f4a261", fontSize: 20 }}>
              Token + Position Embedding
            </div>
            <div style={{ color: "#888", fontSize: 14, marginTop: 8 }}>
              vocab_size × hidden_dim (50257 × {24 * 64})
            </div>
          </div>
        </div>
      </Sequence>

      {/* Transformer blocks */}
      <Sequence from={60} durationInFrames={180}>
        <div style={{
          position: "absolute",
          left: 200,
          top: 450,
          opacity: attentionPhase,
        }}>
          {[0, 1, 2].map((layer) => (
            <div key={layer} style={{
              background: "#2a2a5a",
              padding: 15,
              borderRadius: 10,
              marginBottom: 10,
              width: 600,
              opacity: interpolate(frame - 60 - layer * 15, [0, 15], [0, 1], {
                extrapolateLeft: "clamp",
                extrapolateRight: "clamp",
              }),
            }}>
              <div style={{ display: "flex", justifyContent: "space-between" }}>
                <span style={{ color: "#da7756" }}>Layer {layer + 1}</span>
                <span style={{ color: "#888", fontSize: 14 }}>
                  Self-Attention → MLP
                </span>
              </div>
            </div>
          ))}
          <div style={{ color: "#666", textAlign: "center", marginTop: 10 }}>
            ... (24 layers total)
          </div>
        </div>
      </Sequence>

      {/* Output */}
      <Sequence from={180} durationInFrames={60}>
        <div style={{
          position: "absolute",
          left: 200,
          top: 700,
          opacity: outputPhase,
        }}>
          <div style={{
            background: "#4a4a7a",
            padding: 20,
            borderRadius: 12,
            width: 600,
            textAlign: "center",
          }}>
            <div style={{ color: "#4ade80", fontSize: 20 }}>
              Output Logits → Next Token
            </div>
          </div>
        </div>
      </Sequence>

      {/* nanochat branding */}
      <div style={{
        position: "absolute",
        bottom: 30,
        right: 40,
        color: "#666",
        fontSize: 16,
      }}>
        nanochat • depth=24
      </div>
    </AbsoluteFill>
  );
};
