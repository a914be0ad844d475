namespace Post.Quic.MsQuic.Native;

/// <summary>Who is shown the events of a connection, in msquic's callback: never blocks, and never keeps what the event points at.</summary>
internal interface IEventTarget
{
    void OnEvent(nint handle, in NativeEvent nativeEvent);

    /// <summary>Handling an event failed.</summary>
    void OnFailure(Exception exception);
}
