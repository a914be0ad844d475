using Post.Quic.Engine.Paths;

namespace Post.Quic.Engine.Connection;

/// <summary>What the socket knows of a received UDP datagram beside its bytes.</summary>
internal readonly record struct DatagramMetadata(NetworkAddress Local, NetworkAddress Remote, EcnCodepoint Ecn);
