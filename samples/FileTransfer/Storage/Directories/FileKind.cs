namespace FileTransfer.Storage.Directories;

/// <summary>What stands under a name. Only the first three are transferred.</summary>
internal enum FileKind
{
    File,
    Directory,
    Link,
    Fifo,
    Socket,
    Device,
}
