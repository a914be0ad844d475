namespace Post.Quic.Engine.Endpoint;

/// <summary>What an endpoint is opened for.</summary>
internal enum EndpointUse
{
    /// <summary>Connections in either direction.</summary>
    Any,

    /// <summary>Connections to servers.</summary>
    Connecting,

    /// <summary>Connections of clients.</summary>
    Listening,
}
