namespace Post.Quic;

/// <summary>Which QUIC carries Post.</summary>
public enum PostEngine
{
    /// <summary>
    /// <see cref="SystemNetQuic"/> where the platform has it and it can do what <see cref="PostQuicOptions.Requires"/> asks,
    /// else <see cref="Managed"/>.
    /// </summary>
    Auto,

    /// <summary>The platform's own: <c>System.Net.Quic</c>, which needs the native library msquic.</summary>
    SystemNetQuic,

    /// <summary>The engine written in C#, which needs nothing native.</summary>
    Managed,
}
