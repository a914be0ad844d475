using Post.Quic.Engine;
using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Which engine carries Post, and what it must be able to do.</summary>
public sealed class PostQuicOptions
{
    /// <summary>Which engine; see <see cref="PostEngine"/>. Default: <see cref="PostEngine.Auto"/>.</summary>
    public PostEngine Engine { get; set; }

    /// <summary>
    /// The full path of the native library (<c>libmsquic.so.2</c>, <c>libmsquic.dylib</c>) where it does not lie where the system
    /// looks. Null (the default): the system finds it. It takes effect only before anything in the process has used
    /// System.Net.Quic, and not on Windows, where .NET uses the library that it brings.
    /// </summary>
    public string? MsQuicLibraryPath { get; set; }

    /// <summary>
    /// What the engine must be able to do. Post works without any of it: objects that would travel as datagrams go as streams, and
    /// so on. Ask only for what the application cannot do without. Default: nothing.
    /// </summary>
    public TransportCapabilities Requires { get; set; }

    /// <summary>
    /// The key exchange groups of TLS 1.3 to offer and to take, in order of preference; those that this platform lacks are left out, with a
    /// warning in the log. Empty (the default): the engine's own choice. Only the managed engine has that choice (System.Net.Quic leaves it to
    /// OpenSSL or Schannel), so naming any makes <see cref="PostEngine.Auto"/> take that one. To be safe from future quantum computers,
    /// put <see cref="QuicKeyExchangeGroup.X25519MlKem768"/> first.
    /// </summary>
    public IList<QuicKeyExchangeGroup> KeyExchangeGroups { get; } = [];

    /// <summary>
    /// Addresses of this machine, each with a port, such as <c>203.0.113.7:4433</c> or <c>[2001:db8::7]:4433</c>, to which clients are asked to move
    /// after the handshake (RFC 9000 section 9.6): one of IPv4 and one of IPv6 at most. Listeners receive there as well; port 0 is each
    /// listener's own port. Empty (the default): none. Only the managed engine announces them, so naming any makes
    /// <see cref="PostEngine.Auto"/> take that one.
    /// </summary>
    public IList<string> PreferredEndPoints { get; } = [];

    /// <inheritdoc cref="QuicClientConnectionOptions.FollowPreferredAddress"/>
    /// <remarks>Of the managed engine; System.Net.Quic has no such choice.</remarks>
    public bool FollowPreferredAddress { get; set; } = true;

    /// <summary>What a package adds to System.Net.Quic; null: nothing.</summary>
    internal Func<ExtrasOrObstacle>? Extras { get; set; }
}
