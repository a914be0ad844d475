using System.Net.Security;

namespace Post.Quic.Engine.Tls;

/// <summary>What a client asks for, for those who choose the server's options by it.</summary>
/// <param name="ServerName">The host name of the server_name extension; empty when there is none.</param>
/// <param name="ApplicationProtocols">The protocols it offers, in its order of preference; never empty.</param>
internal readonly record struct ClientHelloInfo(string ServerName, IReadOnlyList<SslApplicationProtocol> ApplicationProtocols);
