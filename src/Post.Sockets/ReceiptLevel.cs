namespace Post.Sockets;

/// <summary>When a receiver gives its receipt.</summary>
public enum ReceiptLevel
{
    /// <summary>When the object is handed to the application.</summary>
    Delivered,

    /// <summary>When the application has processed it: its handler returned, or it called <see cref="ReceivedObject.MarkProcessed"/>.</summary>
    Processed,
}
