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
}
