using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Paths;

/// <summary>What the socket knows of a received UDP datagram beside its bytes.</summary>
/// <param name="Local">Where it was sent to.</param>
/// <param name="Remote">Where it came from.</param>
/// <param name="Ecn">What was left of the sender's mark.</param>
/// <param name="ArrivedAt">When it reached the machine, which may be long before it is read.</param>
internal readonly record struct DatagramMetadata(NetworkAddress Local, NetworkAddress Remote, EcnCodepoint Ecn, long ArrivedAt = 0);
