using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets;

/// <summary>Judges a peer's certificate.</summary>
/// <param name="certificate">The certificate; its fingerprint is <see cref="KeyFingerprint.Of"/>. Valid during the call.</param>
/// <param name="chain">The chain that was built, where one was. Valid during the call.</param>
/// <param name="errors">What the ordinary validation has against it.</param>
/// <returns>True to accept the peer.</returns>
public delegate bool PeerValidator(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors);
