namespace Post.Quic;

/// <summary>Which QUIC carries Post.</summary>
public enum PostEngine
{
    /// <summary>
    /// An engine that has datagrams and path events, and what <see cref="PostQuicOptions.Requires"/> asks besides: <see cref="SystemNetQuic"/> where
    /// the package Post.Quic.MsQuic adds them to it and they work here, else <see cref="Managed"/>.
    /// </summary>
    Auto,

    /// <summary>
    /// The platform's own: <c>System.Net.Quic</c>, which needs the native library msquic. Alone it has streams and nothing more; the package
    /// Post.Quic.MsQuic adds datagrams, priorities, statistics, path events, migration and resumption.
    /// </summary>
    SystemNetQuic,

    /// <summary>The engine written in C#, which needs nothing native.</summary>
    Managed,
}
