namespace Post.Quic.SystemNetQuic;

/// <summary>How <see cref="SystemNetQuicTransport"/> finds and uses the platform's QUIC.</summary>
public sealed record SystemNetQuicTransportOptions
{
    /// <summary>
    /// The full path of the native library (<c>libmsquic.so.2</c>, <c>libmsquic.dylib</c>), for machines where it lies where the
    /// system's loader does not look. Null (the default): where the system finds it. It takes effect only before anything in the
    /// process has used System.Net.Quic, and not on Windows, where .NET uses the library that it brings.
    /// </summary>
    public string? MsQuicLibraryPath { get; init; }

    /// <summary>What a package adds to the public API of System.Net.Quic; null: nothing.</summary>
    internal Func<ExtrasOrObstacle>? Extras { get; init; }
}
