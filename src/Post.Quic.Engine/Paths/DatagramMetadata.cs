using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Paths;

/// <summary>What the socket knows of a received UDP datagram beside its bytes.</summary>
internal readonly record struct DatagramMetadata(NetworkAddress Local, NetworkAddress Remote, EcnCodepoint Ecn);
