using System.Net;

namespace Post.Quic;

/// <summary>Where to open a socket to listen on.</summary>
/// <param name="EndPoint">The address and port.</param>
/// <param name="DualMode">An IPv6 wildcard serves IPv4 too.</param>
internal readonly record struct ListenAddress(IPEndPoint EndPoint, bool DualMode);
