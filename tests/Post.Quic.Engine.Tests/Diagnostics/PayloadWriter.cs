using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>Writes frames into a packet's payload.</summary>
internal delegate void PayloadWriter(ref WireWriter writer);
