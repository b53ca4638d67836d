//! tokio's `mpsc` and `oneshot`.

/// tokio's, each operation a step.
pub(crate) mod mpsc {
    use std::sync::Arc;

    use super::super::point::Point;

    pub(crate) struct Sender<T>(tokio::sync::mpsc::Sender<T>, Arc<Point>);
    pub(crate) struct Receiver<T>(tokio::sync::mpsc::Receiver<T>, Arc<Point>);

    pub(crate) fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = tokio::sync::mpsc::channel(capacity);
        let point = Arc::new(Point::new());
        (Sender(sender, Arc::clone(&point)), Receiver(receiver, point))
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            Self(self.0.clone(), Arc::clone(&self.1))
        }
    }

    impl<T> Sender<T> {
        pub(crate) async fn send(&self, value: T) -> Result<(), ()> {
            self.1.before_each(self.0.send(value)).await.map_err(drop)
        }
    }

    impl<T> Receiver<T> {
        pub(crate) async fn recv(&mut self) -> Option<T> {
            let Self(receiver, point) = self;
            point.before_each(receiver.recv()).await
        }
    }
}

/// tokio's, each operation a step.
pub(crate) mod oneshot {
    use std::sync::Arc;

    use super::super::point::Point;

    pub(crate) struct Sender<T>(tokio::sync::oneshot::Sender<T>, Arc<Point>);
    pub(crate) struct Receiver<T>(tokio::sync::oneshot::Receiver<T>, Arc<Point>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let point = Arc::new(Point::new());
        (Sender(sender, Arc::clone(&point)), Receiver(receiver, point))
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            self.1.pass();
            self.0.send(value)
        }
    }

    impl<T> Receiver<T> {
        pub(crate) async fn answer(self) -> Option<T> {
            let Self(receiver, point) = self;
            point.before_each(receiver).await.ok()
        }
    }
}
