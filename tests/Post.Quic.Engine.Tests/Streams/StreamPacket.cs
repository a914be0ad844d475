using Post.Quic.Engine.InFlight;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>The frames of one packet as bytes, and what was recorded about them.</summary>
internal sealed record StreamPacket(byte[] Bytes, SentFrame[] Frames)
{
    public IEnumerable<SentFrameKind> Kinds => Frames.Select(f => f.Kind);

    public SentFrame Only(SentFrameKind kind) => Frames.Single(f => f.Kind == kind);
}
